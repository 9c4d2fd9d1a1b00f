"""What to do: the pure heart. No input or output, no clock, no chance, no logging."""
