"""What happens in each sample."""
