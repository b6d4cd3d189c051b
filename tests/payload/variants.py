"""The answers that change the delivery files."""

GIT = "https://git.example.com/shop/analytics.git"
VARIANTS = {
    "sample-duckdb-github": {},
    "sample-postgres-github": {"warehouse": "postgres"},
    "sample-postgres-gitlab": {"warehouse": "postgres", "ci": "gitlab"},
    "folder-duckdb-github": {"dbt_project": "../shop dbt"},
    "folder-postgres-gitlab": {"dbt_project": "/data/shop", "ci": "gitlab", "warehouse": "postgres"},
    "git-duckdb-github": {"dbt_project": GIT, "dbt_subfolder": "transform/dbt"},
    "git-duckdb-gitlab": {"dbt_project": GIT, "ci": "gitlab"},
    "sample-duckdb-none": {"ci": "none"},
    "lakehouse-serverless-github": {"kind": "databricks", "databricks_options": ["mlflow", "container"]},
    "lakehouse-azure-gitlab": {
        "kind": "databricks",
        "databricks_compute": "azure",
        "databricks_options": ["container"],
        "ci": "gitlab",
    },
    "ai-openai-github": {"kind": "ai", "provider": "openai", "ai_options": ["documents", "container"]},
    "ai-local-gitlab": {"kind": "ai", "ai_options": ["reviews", "container"], "ci": "gitlab"},
}
