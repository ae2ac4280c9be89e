"""What content may expand to, measured while it is uploaded, before the virus scanner: that passes what it thinks too
large. Nothing is unpacked to disk, and no size that a file states of itself is believed."""
