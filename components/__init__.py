"""The component library: plain Python, tested here and copied into generated projects as it is."""
