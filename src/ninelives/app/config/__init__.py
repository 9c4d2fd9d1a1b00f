"""The configuration: TOML files in, the frozen values that everything else is made of out."""
