"""Pure decisions: frozen observations in, plans out. No I/O, clock, randomness or asyncio."""
