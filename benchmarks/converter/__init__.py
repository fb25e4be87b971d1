"""Against the TFLite converter's own output."""
