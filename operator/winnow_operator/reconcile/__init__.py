"""Observe, decide, act: one level-based reconcile per kind, driven by a de-duplicating queue.

queue, workers, dispatch, resync, waiting   which key is looked at, when, by whom and why
searches, compressions, servers             one kind each
lifecycle                                   what both kinds of bounded jobs live through
observing, recording, starting, explaining, finishing, notes   its parts, in the order of a look
assigning, queries, sidebyside              what these need
jobcontext, jobstate, podbook, trialbook, firstledgers   what they are given, and what is kept between two looks
"""
