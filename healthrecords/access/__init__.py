"""Who may see what: one policy, asked at one seam, by the API and the admin alike."""
