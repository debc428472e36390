"""Chaos tests: the built artefact under load, while its dependencies are killed, disconnected and stalled at random.

`make chaos` runs one storm of faults. `DIALECT` selects the OCPP server, `SEED` the random sequence, `ATTEMPTS` the number of
attempts. Only the charge points count starts: they append each start to a file before they respond to it. Each attempt has its
own token. See docs/reliability.md.
"""
