"""How it is done out there: one file per product, and none imports another."""
