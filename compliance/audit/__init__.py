"""Proof of who did what: the tables that only grow, the seals over them, the witness, and the check of it all."""
