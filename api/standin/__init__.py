"""A stand-in for an Ollama server: real HTTP, true to its protocol, made-up answers.

For tests and demonstrations without a network. Its embeddings hash words and its chat models say
what they are told to: nothing it does measures a model.
"""
