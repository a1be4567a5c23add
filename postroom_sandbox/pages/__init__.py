"""What a person sees of the sandbox: "the other side" and the frame the sign-in pages use too."""
