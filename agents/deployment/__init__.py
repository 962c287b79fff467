"""Trained policies as files that need neither torch nor stable-baselines3: ONNX, or plain arrays in safetensors."""
