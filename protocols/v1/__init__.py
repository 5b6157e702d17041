"""Wire format, version 1: protobuf sources and the code generated from them (`make protocols`)."""
