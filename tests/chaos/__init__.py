"""Chaos: the built artefact under load, while what it stands on is killed, cut and stalled at random.

`make chaos` runs it; `SEED=7` draws another storm, `ATTEMPTS=1000` sizes it. Starts are counted by the charge points alone, in a
file that each start is appended to before it is answered, each attempt with a token of its own. See docs/reliability.md.
"""
