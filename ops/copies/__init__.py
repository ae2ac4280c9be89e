"""The second copy of the documents: kept up to date, compared with the records, given back."""
