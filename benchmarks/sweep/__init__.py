"""A seeded sweep of one- and two-operator nets over all targets: each verifies, or is refused with a named limit."""
