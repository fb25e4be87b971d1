"""From a trained folder to one small, verified `.tflite` file. Needs the extra `pipeline`."""
