"""What is shipped with a Spark job: scripts that stand alone, without the library, wherever Python and Spark are."""
