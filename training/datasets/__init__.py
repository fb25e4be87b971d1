"""Public data sets, as their publishers ship them."""
