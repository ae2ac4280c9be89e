"""The access log: one row for each patient disclosed, changed or denied."""
