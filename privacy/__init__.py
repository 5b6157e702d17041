"""The privacy decisions as pure arithmetic: bounds, mechanisms, accounting, strategy and the sentence a reader sees."""
