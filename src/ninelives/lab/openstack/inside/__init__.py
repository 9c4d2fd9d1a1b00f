"""Programs that the cloud's own interpreter runs, beside nova and without ninelives."""
