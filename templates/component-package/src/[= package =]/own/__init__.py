"""The company's own components, one a file: sales_report_component.py holds SalesReportComponent."""
