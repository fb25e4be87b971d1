"""Tables, logs and exports of any size."""
