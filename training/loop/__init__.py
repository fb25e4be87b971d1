"""What every training run does: epochs, checkpoints, workers."""
