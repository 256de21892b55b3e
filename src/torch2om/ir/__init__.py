"""The net and everything that makes, checks and prints one."""
