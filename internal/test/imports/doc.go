// Package imports holds the test of who must never import what.
package imports
