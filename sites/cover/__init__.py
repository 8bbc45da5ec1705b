"""Cover while an administrator is away."""
