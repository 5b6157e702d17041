"""Reading export files as tables of text: CSV, TSV and Parquet, with encoding and delimiter found."""
