"""The code tables of immunization: CDC's vaccines, manufacturers, products and information statements, and barcodes."""
