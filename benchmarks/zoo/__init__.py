"""The zoo: every torchvision model and timm's families, converted as `torch2om batch` does; docs/coverage.md."""
