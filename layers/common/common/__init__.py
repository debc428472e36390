"""What the functions and the charger link share: the journal, the wire, settings, start-up and transport."""
