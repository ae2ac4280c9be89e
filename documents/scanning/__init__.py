"""Virus scan: content streams to clamd while it is uploaded, or later; with a scanner only clean content leaves."""
