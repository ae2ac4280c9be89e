"""Load and speed: ratios against something plain in the same run. Never part of the tests."""
