"""Pure decisions: frozen observations in, plans out. No I/O, clock, randomness or asyncio.

checks                           whether a document can work at all
spaces, architectures            what is searched
searches, compressions, servers  one kind each
kinds, jobs, batches, pods, ledger, intervals   what is known of every job, its pods and trials
spreading                        when each of many objects is looked at
settlements, causes              what a pod that has ended means for its trials
blockages, job_conditions, figures, gpus        what a status and the metrics say
"""
