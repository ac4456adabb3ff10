"""The work of jobs: each module has ``run(work)`` and runs only in the processes of a job."""
