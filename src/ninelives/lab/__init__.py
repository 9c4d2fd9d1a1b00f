"""Real parts on one machine: what the integration tests run against, and what one may break."""
