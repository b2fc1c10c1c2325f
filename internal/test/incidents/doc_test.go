// Package incidents tells incidents from their beginning to their end, as tests: something is
// lost, an alarm goes off, somebody does what the runbook says, and the target tables are exact
// again.
//
// # What is real
//
// Tables and streams are DynamoDB Local's, queues and the function's configuration are
// MiniStack's. The function is a process that runs the replicator's main, and so is the
// command replicatedtable. The settings of the function and of its event source mapping, and
// the alarms, are those of a synthesized template: the golden file that a test of the construct
// keeps equal to the synthesis.
//
// # What is not
//
// Lambda's event source mapping is package eventsource, CloudWatch's alarms are package
// alarms. Both do what AWS's documentation says; neither was compared with AWS.
//
// Hours pass in a testing/synctest bubble. The function's process gets the time of the bubble
// for what it decides by the clock: how long a target fails, and how old a record is. Its
// binary is built with those few calls replaced; clock_test.go does it, from the sources as
// they are. Time that requests take is real and counts for nothing.
package incidents
