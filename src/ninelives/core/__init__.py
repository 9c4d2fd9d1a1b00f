"""What to do. Pure: no I/O, no clock, no chance, no logging; a little of the standard library."""
