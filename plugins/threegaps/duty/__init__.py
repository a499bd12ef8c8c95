"""The duty page: what the engineer on duty looks at in the morning, within Airflow's page and alone at ``/duty/``.

`mounting` is all that Airflow's plugin imports; everything else is read when somebody opens the page first. `app` puts
it together, `access` says who may, `views` are the pages, `reading` what they ask of the ledger, `actions` what they
change.
"""
