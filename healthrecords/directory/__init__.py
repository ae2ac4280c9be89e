"""The directory: organizations, practitioners, locations. They are about no patient: reading them discloses none."""
