// Package alarms says when the alarms of a synthesized template go off, by the samples of a
// run. It evaluates them as CloudWatch documents it; it was not compared with AWS.
//
// # Rules
//
// The brackets name the page of AWS's documentation.
//
//   - An alarm looks at the last EvaluationPeriods periods, each of them with the samples of
//     Period seconds, and is evaluated every minute: periods slide ([Evaluation]).
//   - It is on when all of these periods breach its threshold ([Evaluation]).
//   - A period without samples breaches or not as TreatMissingData says ([Missing]).
//   - SampleCount is a statistic like the others: a period without samples has none of it
//     ([Statistics]).
//   - A composite alarm is on when one of its alarms is on ([Composite]).
//
// Not modelled: samples that are late, and values of earlier periods in the place of missing
// ones.
//
// What no alarm of the construct has is not known here, and a template with it is an error:
// other statistics, comparisons, rules and ways to treat missing data, DatapointsToAlarm,
// metric math, and anomaly detection.
//
// [Evaluation]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
// [Missing]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
// [Statistics]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
// [Composite]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
package alarms
