"""Review of who looked at whom: what is unusual becomes a finding that somebody else signs off."""
