// Package alarms says when the alarms of a synthesized template go off, by the samples of a
// run. It evaluates them as CloudWatch documents it; it was not compared with AWS.
//
// # Rules
//
// The brackets name the page of AWS's documentation.
//
//   - An alarm looks at the last EvaluationPeriods periods, each of them with the samples of
//     Period seconds, and is evaluated every minute: periods slide ([Evaluation]).
//   - It is on when DatapointsToAlarm of these periods breach its threshold, by default all
//     of them ([Evaluation]).
//   - A period without samples breaches or not as TreatMissingData says. With "ignore" the
//     state stays as it is. With "missing", the default, it is neither: without any value the
//     state is INSUFFICIENT_DATA ([Missing]).
//   - SampleCount is a statistic like the others: a period without samples has none of it
//     ([Statistics]).
//   - A composite alarm's rule is of ALARM, OK and INSUFFICIENT_DATA of other alarms, TRUE,
//     FALSE, AND, OR, NOT and parentheses ([Composite]).
//
// Not modelled: samples that are late, values of earlier periods in the place of missing
// ones, percentiles, metric math, and anomaly detection. A template with such an alarm is an
// error.
//
// [Evaluation]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
// [Missing]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
// [Statistics]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
// [Composite]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
package alarms
