"""What keeps the database quick: statistics, dead rows, indexes, settings; never during a backup."""
