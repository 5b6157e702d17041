"""Reading exports as tables of text: delimited files, workbooks, Parquet, FHIR documents and views of databases."""
