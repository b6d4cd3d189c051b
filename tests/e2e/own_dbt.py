"""A dbt project as somebody else keeps it: its own name, its own profile, sources that nothing here loads."""

import os
import subprocess
from pathlib import Path

FILES = {
    "dbt_project.yml": """\
name: shop
version: "1.0"
profile: somebody_elses_profile
seed-paths: [seeds]
""",
    "seeds/orders.csv": "order_id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,5\n",
    "models/staging/stg_orders.sql": "select order_id, customer, amount from {{ ref('orders') }}\n",
    "models/marts/customers.sql": (
        "select customer, sum(amount) as revenue from {{ ref('stg_orders') }} group by customer\n"
    ),
    "models/marts/_marts.yml": """\
version: 2
models:
  - name: customers
    description: Revenue by customer.
    columns:
      - name: customer
        data_tests: [unique, not_null]
""",
}


def write_dbt_project(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def commit(folder: Path) -> Path:
    """Make a folder a git repository with one commit."""
    identity = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "dbt"]):
        subprocess.run(["git", *command], cwd=folder, env=os.environ | identity, check=True)
    return folder
