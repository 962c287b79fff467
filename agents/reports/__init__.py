"""Tables, figures and TensorBoard entries made of policies' outcomes."""
