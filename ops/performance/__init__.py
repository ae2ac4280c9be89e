"""What is slow, what waits, what grows: looks into the database, the machine and the running processes."""
