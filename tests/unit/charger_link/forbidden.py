"""Spellings of addresses that must never be called, by class. The tests try all of them, and those of loopback with a socket."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

V4 = {
    "loopback": ("127.0.0.1", "127.1.2.3", "127.255.255.255"),
    "link-local": ("169.254.169.254", "169.254.170.2", "169.254.0.1"),
    "unspecified": ("0.0.0.0", "0.0.0.1", "0.255.255.255"),
    "multicast": ("224.0.0.1", "239.255.255.250"),
    "reserved": ("240.0.0.1", "255.255.255.255", "192.0.0.192"),
}
V6 = {
    "loopback": ("::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "0::1", "::0:1"),
    "unspecified": ("::", "0::0", "0:0:0:0:0:0:0:0"),
    "link-local": ("fe80::1", "FE80::A9FE:A9FE", "febf:ffff::1", "fe80:0:0:0:0:0:0:1"),
    "site-local": ("fec0::1", "feff::1"),
    "multicast": ("ff02::1", "ff05::2", "ff0e::1", "FF02:0:0:0:0:0:0:FB"),
    "metadata": ("fd00:ec2::254", "fd00:ec2::253", "FD00:0EC2:0:0:0:0:0:254", "fd00:ec2::23"),
    "reserved": ("100::1", "200::1", "400::1", "1000::1", "4000::1", "8000::1", "c000::1", "e000::1", "f000::1", "fe00::1"),
    "protocol assignments": ("2001:10::1", "2001:1::1", "2001:20::1", "2001:2::1"),
    "translated": ("::ffff:0:127.0.0.1", "::ffff:0:a9fe:a9fe"),
}  # fmt: skip
_DIGITS = {
    "full-width digits": "０１２３４５６７８９",
    "Arabic digits": "٠١٢٣٤٥٦٧٨٩",
    "Devanagari digits": "०१२३४५६७८९",
    "mathematical digits": "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
    "superscript digits": "⁰¹²³⁴⁵⁶⁷⁸⁹",
    "circled digits": "⓪①②③④⑤⑥⑦⑧⑨",
}


def _v4(text: str) -> dict[str, list[str]]:
    """Spellings of one IPv4 address."""
    value = int(IPv4Address(text))
    a, b, c, d = IPv4Address(text).packed
    high, low = f"{value >> 16:x}", f"{value & 0xFFFF:x}"
    inside = f"{high}:{low}"
    flipped = value ^ 0xFFFFFFFF
    teredo = f"{flipped >> 16:x}:{flipped & 0xFFFF:x}"
    spellings = {
        "dotted": [text],
        "decimal": [str(value), f"+{value}", f"{value}.0", f"{value:020d}"],
        "hexadecimal": [hex(value), hex(value).upper(), f"0x{value:016x}", f"{value:08x}", f"\\x{value:08x}"],
        "octal": [f"0{value:o}", oct(value)],
        "binary": [bin(value)],
        "parts": [f"{a}.{b}.{c * 256 + d}", f"{a}.{value & 0xFFFFFF}", f"0x{a:x}.{value & 0xFFFFFF}"],
        "hexadecimal parts": [".".join(hex(part) for part in (a, b, c, d)), f"0x{a:02x}.{b}.{c}.{d}"],
        "octal parts": [".".join(f"0{part:o}" for part in (a, b, c, d)), f"0{a:o}.{b}.{c}.{d}"],
        "leading zeros": [".".join(f"{part:03d}" for part in (a, b, c, d)), f"{a}.{b}.{c}.0{d}", f"{a}.{b}.{c}.00{d}"],
        "parts too many or too few": [f"{text}.0", f"0.{text}", f"{a}.{b}.{c}", f"{a}..{c}.{d}", f".{text}"],
        "part over 255": [f"{a + 256}.{b}.{c}.{d}", f"{a}.{b}.{c}.{d + 256}"],
        "trailing dot": [f"{text}.", f"{text}..", f"{text}。"],
        "other dots": [text.replace(".", dot) for dot in "。．｡․,"],
        "blanks": [f" {text}", f"{text} ", f"\t{text}", f"{text}\n", f"{text}\r\n", f"\u00a0{text}", f"{text}\u3000", f"{a}. {b}.{c}.{d}"],
        "invisible characters": [f"\u200b{text}", f"{text}\u200d", f"{a}.\u00ad{b}.{c}.{d}", f"\ufeff{text}", f"{text}\u202e"],
        "control characters": [f"{text}\0", f"{text}\0.example", f"\0{text}"],
        "brackets": [f"[{text}]", f"({text})", f'"{text}"', f"<{text}>"],
        "with more": [f"{text}/32", f"{text}:80", f"{text}%lo", f"{text}#", f"{text}?", f"{text}/", f"{text}\\", f"{text};"],
        "of an URL": [f"http://{text}", f"//{text}", f"user@{text}", f"user:pass@{text}", f"{text}@10.0.0.5", f"10.0.0.5@{text}"],
        "percent-encoded": [text.replace(".", "%2e"), f"%3{text[0]}{text[1:]}", f"{text}%00"],
        "names that resolve": [f"{text}.nip.io", f"{text}.sslip.io", f"{a}-{b}-{c}-{d}.example"],
        "two at once": [f"{text},10.0.0.5", f"10.0.0.5,{text}", f"10.0.0.5 {text}", f"10.0.0.5\n{text}", f"10.0.0.5\0{text}"],
        "mapped": [f"::ffff:{text}", f"::ffff:{inside}", f"::FFFF:{inside}", f"0:0:0:0:0:ffff:{inside}", f"0000:0000:0000:0000:0000:ffff:{text}"],
        "compatible": [f"::{text}", f"::{inside}", f"0:0:0:0:0:0:{inside}"],
        "translated": [f"::ffff:0:{text}", f"::ffff:0:{inside}"],
        "NAT64": [f"64:ff9b::{text}", f"64:ff9b::{inside}", f"64:FF9B:0:0:0:0:{inside}", f"0064:ff9b::{text}"],
        "local NAT64": [f"64:ff9b:1::{inside}", f"64:ff9b:1:{a << 8 | b:x}:{c:x}:{d << 8:x}::"],
        "6to4": [f"2002:{inside}::", f"2002:{inside}::1", f"2002:{inside}:0:0:0:0:0:ffff"],
        "Teredo": [f"2001::{teredo}", f"2001:0:4136:e378:8000:63bf:{teredo}", f"2001:0000:0000:0000:0000:0000:{teredo}"],
        "ISATAP": [f"fe80::5efe:{inside}", f"fe80::200:5efe:{inside}", f"2001:db8::5efe:{inside}", f"2001:db8::200:5efe:{text}", f"fd00::5efe:{inside}"],
        "zone of a mapped": [f"::ffff:{text}%1", f"::ffff:{text}%lo", f"64:ff9b::{text}%eth0"],
        "mapped, bracketed": [f"[::ffff:{text}]", f"[::ffff:{text}]:80"],
    }  # fmt: skip
    for name, digits in _DIGITS.items():
        spellings[name] = [text.translate({ord(str(at)): digit for at, digit in enumerate(digits)})]
    return spellings


def _v6(text: str) -> dict[str, list[str]]:
    """Spellings of one IPv6 address."""
    value = int(IPv6Address(text))
    return {
        "IPv6": [text, IPv6Address(text).exploded, text.upper()],
        "IPv6, zone": [f"{text}%eth0", f"{text}%1", f"{text}%25eth0", f"{text}%"],
        "IPv6, brackets": [f"[{text}]", f"[{text}]:80", f"[{text}"],
        "IPv6, blanks": [f" {text}", f"{text}\n", f"{text}\u3000"],
        "IPv6, with more": [f"{text}/128", f"{text}.", f"{text}:", f"http://[{text}]"],
        "IPv6, a number": [str(value), hex(value), f"{value:032x}"],
        "IPv6, other letters": [text.replace(":", "："), text.translate({ord(str(at)): chr(0xFF10 + at) for at in range(10)})],
        "IPv6, groups too long": [f"0{IPv6Address(text).exploded}", f"{text}:0:0:0:0:0:0:0:0"],
    }  # fmt: skip


NAMES = [
    "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "loopback",
    "metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal", "kubernetes.default",
    "example.com", "a", "*", "", ".", "..", "::ffff:", ":::", "0", "00", "0x0", "0.0", "-1", "1e9", "Infinity", "nan",
    "10.0.0.5.example", "http://10.0.0.5", "10.0.0.5:80", "[10.0.0.5]", "10.0.0.5/8", "file:///etc/passwd", "unix:/run/x",
    "xn--127-0-0-1", "１２７.0.0.1", "localh\u043est", "ⓛocalhost", "x" * 5000, "1" * 5000, ":" * 5000, "\ud83d",
]  # fmt: skip


def _spellings() -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    groups = [
        *(_v4(text) for addresses in V4.values() for text in addresses),
        *(_v6(text) for addresses in V6.values() for text in addresses),
    ]
    for kind, spelt in [("names", NAMES), *(pair for group in groups for pair in group.items())]:
        for text in spelt:
            found.setdefault(text, kind)
    return [(kind, text) for text, kind in found.items()]


# (class, spelling), each spelling once
SPELLINGS = _spellings()

# Those of loopback by class: what a socket can prove.
LOOPBACKS = {**_v4("127.0.0.1"), **_v6("::1"), "names": ["localhost", "localhost.", "ip6-localhost"]}
