import { useEffect, useState } from "preact/hooks";

/** Return the time in milliseconds, updated every `step` milliseconds while `ticking`. */
export function useNow(ticking, step) {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    if (!ticking) return undefined;
    set(Date.now());
    const timer = setInterval(() => set(Date.now()), step);
    return () => clearInterval(timer);
  }, [ticking, step]);
  return now;
}
